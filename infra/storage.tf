# One bucket, because the runtime knows one: store/ has checkpoints and leases, objects/ all that is larger. No versioning:
# leases are written every few seconds, and each write would leave a version. What is deleted by mistake is kept for a week.
resource "google_storage_bucket" "state" {
  name                        = "${var.project}-${var.name}"
  location                    = var.region
  labels                      = local.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age            = var.claim_days
      matches_prefix = ["objects/claims/"]
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age            = var.parked_days
      matches_prefix = ["objects/dead-letters/"]
    }
  }

  # Read in a replay and hardly ever else.
  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }

    condition {
      age            = 30
      matches_prefix = ["objects/archive/"]
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.archive_days == null ? [] : [var.archive_days]

    content {
      action {
        type = "Delete"
      }

      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["objects/archive/"]
      }
    }
  }

  # Parts of uploads that a killed process left.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 1
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}
