locals {
  # Nothing runs before there is an image.
  deployed  = { for name, service in local.running : name => service if var.image != null }
  receivers = { for name, service in local.deployed : name => service if service.receiver != null }
  workers   = { for name, service in local.deployed : name => service if service.worker != null }
  limits    = { for name in keys(local.services) : name => lookup(var.limits, name, { cpu = "1", memory = "1Gi" }) }
}

# Takes pushes. The rest of a service with routes runs in its worker pool, so that requests scale by themselves.
resource "google_cloud_run_v2_service" "receiver" {
  for_each = local.receivers

  name                = "${var.name}-${each.key}"
  location            = var.region
  description         = substr(each.value.doc, 0, 512)
  labels              = local.labels
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    service_account                  = google_service_account.service[each.key].email
    timeout                          = "10s"
    max_instance_request_concurrency = 80
    labels                           = local.labels

    scaling {
      min_instance_count = var.receiver_instances.least
      max_instance_count = var.receiver_instances.most
    }

    containers {
      image = var.image
      args  = each.value.receiver.arguments

      ports {
        container_port = local.receiver_port
      }

      resources {
        limits = local.limits[each.key]
        # A publish that was confirmed late, and telemetry, go on after the answer.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        failure_threshold = 60

        http_get {
          path = "/readyz"
          port = local.receiver_port
        }
      }

      liveness_probe {
        period_seconds    = 15
        failure_threshold = 4

        http_get {
          path = "/livez"
          port = local.receiver_port
        }
      }

      dynamic "env" {
        for_each = local.environment[each.key]

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment[each.key]

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secret[env.value].secret_id
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [
    google_secret_manager_secret_iam_member.service, google_pubsub_topic_iam_member.service, google_storage_bucket_iam_member.service,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "vendors" {
  for_each = toset([for name in keys(local.receivers) : name if var.public_receivers])

  name     = google_cloud_run_v2_service.receiver[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Pulls, polls, and holds what runs under a lease. Schedules of seconds stay here, each under its lease.
resource "google_cloud_run_v2_worker_pool" "worker" {
  for_each = local.workers

  name                = "${var.name}-${each.key}"
  location            = var.region
  description         = substr(each.value.doc, 0, 512)
  labels              = local.labels
  launch_stage        = "BETA"
  deletion_protection = var.deletion_protection

  scaling {
    scaling_mode          = "MANUAL"
    manual_instance_count = lookup(var.instances, each.key, 1)
  }

  template {
    service_account = google_service_account.service[each.key].email
    labels          = local.labels

    containers {
      image = var.image
      args  = each.value.worker.arguments

      resources {
        limits = local.limits[each.key]
      }

      dynamic "env" {
        for_each = local.environment[each.key]

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment[each.key]

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secret[env.value].secret_id
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [
    google_secret_manager_secret_iam_member.service, google_pubsub_subscription_iam_member.service,
    google_pubsub_topic_iam_member.service, google_storage_bucket_iam_member.service, google_bigquery_dataset_iam_member.store,
    google_bigquery_table.table,
  ]
}
