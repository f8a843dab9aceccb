# One account a service, granted what its declaration asks for and nothing else: docs/iam.md is the same list, with reasons.
resource "google_service_account" "service" {
  for_each = local.services

  account_id   = trim(substr("${var.name}-${each.key}", 0, 30), "-")
  display_name = "Tributary ${each.key}"
  description  = substr(each.value.doc, 0, 256)

  depends_on = [google_project_service.api]
}

locals {
  granted = { for kind in distinct([for grant in local.grants : grant.on]) : kind => { for grant in local.grants : grant.key => grant if grant.on == kind } }
  # Named apart: a kind that no service needs any more is an empty list, not an error.
  on_topics        = lookup(local.granted, "topic", {})
  on_subscriptions = lookup(local.granted, "subscription", {})
  on_bucket        = lookup(local.granted, "bucket", {})
  on_store         = lookup(local.granted, "store dataset", {})
  on_views         = lookup(local.granted, "views dataset", {})
  on_project       = lookup(local.granted, "project", {})
  on_secrets       = { for key, grant in lookup(local.granted, "secret", {}) : key => grant if contains(var.secrets, grant.name) }
}

resource "google_pubsub_topic_iam_member" "service" {
  for_each = local.on_topics

  topic  = google_pubsub_topic.topic[each.value.name].id
  role   = each.value.role
  member = google_service_account.service[each.value.service].member
}

resource "google_pubsub_subscription_iam_member" "service" {
  for_each = local.on_subscriptions

  subscription = google_pubsub_subscription.subscription[each.value.name].id
  role         = each.value.role
  member       = google_service_account.service[each.value.service].member
}

# Only objects whose names begin so, and only listings that ask for such names.
resource "google_storage_bucket_iam_member" "service" {
  for_each = local.on_bucket

  bucket = google_storage_bucket.state.name
  role   = each.value.role
  member = google_service_account.service[each.value.service].member

  condition {
    title = substr("objects under ${each.value.name}", 0, 100)
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.state.name}/objects/${each.value.name}\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"${each.value.name}\")",
    ])
  }
}

resource "google_bigquery_dataset_iam_member" "store" {
  for_each = local.on_store

  dataset_id = google_bigquery_dataset.store.dataset_id
  role       = each.value.role
  member     = google_service_account.service[each.value.service].member
}

resource "google_bigquery_dataset_iam_member" "views" {
  for_each = local.on_views

  dataset_id = google_bigquery_dataset.views.dataset_id
  role       = each.value.role
  member     = google_service_account.service[each.value.service].member
}

resource "google_project_iam_member" "service" {
  for_each = local.on_project

  project = var.project
  role    = each.value.role
  member  = google_service_account.service[each.value.service].member
}

resource "google_secret_manager_secret_iam_member" "service" {
  for_each = local.on_secrets

  secret_id = google_secret_manager_secret.secret[each.value.name].id
  role      = each.value.role
  member    = google_service_account.service[each.value.service].member
}

# Pub/Sub itself forwards what it gives up: without these two it would deliver it for ever.
resource "google_pubsub_topic_iam_member" "forwarding" {
  for_each = local.dead_letter_topics

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.agents.pubsub
}

resource "google_pubsub_subscription_iam_member" "forwarding" {
  for_each = local.given_up

  subscription = google_pubsub_subscription.subscription[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.agents.pubsub
}
