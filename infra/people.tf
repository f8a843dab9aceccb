# People come in as groups; none has a right that a service's account has not.
locals {
  operators_on_topics = { for pair in setproduct(var.operators, local.written_topics) : join("|", pair) => { member = pair[0], topic = pair[1] } }
}

resource "google_bigquery_dataset_iam_member" "analysts" {
  for_each = var.analysts

  dataset_id = google_bigquery_dataset.views.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.key
}

resource "google_bigquery_dataset_iam_member" "operators" {
  for_each = var.operators

  dataset_id = google_bigquery_dataset.store.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.key
}

# What `tributary doctor` looks at: no right of these reads a message or a row.
resource "google_bigquery_dataset_iam_member" "operators_views" {
  for_each = var.operators

  dataset_id = google_bigquery_dataset.views.dataset_id
  role       = "roles/bigquery.metadataViewer"
  member     = each.key
}

resource "google_project_iam_member" "operators_topology" {
  for_each = var.operators

  project = var.project
  role    = "roles/pubsub.viewer"
  member  = each.key
}

resource "google_project_iam_member" "queries" {
  for_each = setunion(var.analysts, var.operators)

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = each.key
}

resource "google_data_catalog_policy_tag_iam_member" "readers" {
  for_each = var.protect_personal_data ? var.pii_readers : []

  policy_tag = google_data_catalog_policy_tag.personal[0].name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = each.key
}

resource "google_storage_bucket_iam_member" "operators" {
  for_each = var.operators

  bucket = google_storage_bucket.state.name
  role   = "roles/storage.objectUser"
  member = each.key
}

# A replay publishes to the topic that the message came from.
resource "google_pubsub_topic_iam_member" "operators" {
  for_each = local.operators_on_topics

  topic  = google_pubsub_topic.topic[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = each.value.member
}
