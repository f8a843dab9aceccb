# The secrets are made empty. Their values are added by hand (docs/guides/deploy.md), so that none is in the state.
resource "google_secret_manager_secret" "secret" {
  for_each = local.all_secrets

  secret_id = "${var.name}-${each.value.id}"
  labels    = local.labels

  replication {
    auto {
      dynamic "customer_managed_encryption" {
        for_each = var.kms_key == null ? [] : [var.kms_key]

        content {
          kms_key_name = customer_managed_encryption.value
        }
      }
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}
