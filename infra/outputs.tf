output "repository" {
  description = "Where images are pushed to."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "bucket" {
  description = "Checkpoints, parked messages, claims and the archive."
  value       = google_storage_bucket.state.name
}

output "webhooks" {
  description = "Addresses to give to the vendors, by service."
  value = {
    for name, service in local.receivers : name => [for path in service.receiver.paths : "${google_cloud_run_v2_service.receiver[name].uri}${path}"]
  }
}

output "jobs" {
  description = "Jobs that can be executed: gcloud run jobs execute <name>."
  value       = { for key, job in local.jobs : google_cloud_run_v2_job.command[key].name => job.doc }
}

output "secrets" {
  description = "Secret settings and the secrets that hold them: gcloud secrets versions add <secret> --data-file=-."
  value       = { for name, secret in google_secret_manager_secret.secret : name => secret.secret_id }
}

output "policy_tag" {
  description = "The policy tag on columns with personal data, if there is one."
  value       = one(google_data_catalog_policy_tag.personal[*].name)
}

output "environment" {
  description = "What a command line on another machine needs to work on this installation."
  value = {
    for name, variable in local.topology.settings : variable => local.deployed_settings[name]
    if lookup(local.deployed_settings, name, null) != null && !contains(["web.host", "web.port", "log.format", "otel.endpoint"], name)
  }
}
