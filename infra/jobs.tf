locals {
  jobs = merge([
    for name, service in local.deployed : {
      for command, job in service.jobs : "${name}-${command}" => merge(job, {
        service   = name
        arguments = concat(job.arguments, job.scheduled ? ["--since", var.reconcile_since] : [])
      })
    }
  ]...)
  operators_on_jobs = { for pair in setproduct(var.operators, keys(local.jobs)) : join("|", pair) => { member = pair[0], job = pair[1] } }
}

# A job is stopped when its time is over, and a backfill resumes where it was: its attempts may be long, and some more.
resource "google_cloud_run_v2_job" "command" {
  for_each = local.jobs

  name                = "${var.name}-${each.key}"
  location            = var.region
  labels              = local.labels
  deletion_protection = var.deletion_protection

  template {
    labels      = local.labels
    task_count  = 1
    parallelism = 1

    template {
      service_account = google_service_account.service[each.value.service].email
      timeout         = "86400s"
      max_retries     = 3

      containers {
        image = var.image
        args  = each.value.arguments

        resources {
          limits = local.limits[each.value.service]
        }

        dynamic "env" {
          for_each = local.environment[each.value.service]

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = local.secret_environment[each.value.service]

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
  }

  depends_on = [google_secret_manager_secret_iam_member.service, google_storage_bucket_iam_member.service]
}

resource "google_cloud_run_v2_job_iam_member" "operators" {
  for_each = local.operators_on_jobs

  name     = google_cloud_run_v2_job.command[each.value.job].name
  location = var.region
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = each.value.member
}
