# Only what runs now and then: schedules of seconds and minutes are the worker pools', which keep their connections.
locals {
  scheduled_jobs = { for key, job in local.jobs : key => job if job.scheduled }
}

resource "google_service_account" "scheduler" {
  account_id   = "${var.name}-scheduler"
  display_name = "Tributary scheduler"
  description  = "Starts the jobs that run periodically."

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  for_each = local.scheduled_jobs

  name     = google_cloud_run_v2_job.command[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_scheduler_job" "periodic" {
  for_each = local.scheduled_jobs

  name             = "${var.name}-${each.key}"
  region           = var.region
  description      = substr(each.value.doc, 0, 500)
  schedule         = var.reconcile_schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  retry_config {
    retry_count = 3
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.command[each.key].id}:run"

    oauth_token {
      service_account_email = google_service_account.scheduler.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.scheduler]
}
