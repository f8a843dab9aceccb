locals {
  store_dataset = "${var.dataset}_store"
  tables        = { for name, table in local.topology.tables : name => table if var.manage_tables }
  views         = { for name, view in local.topology.views : name => view if var.manage_tables }
  staleness = var.max_staleness_seconds == 0 ? null : format(
    "0-0 0 %d:%d:%d",
    floor(var.max_staleness_seconds / 3600), floor(var.max_staleness_seconds / 60) % 60, var.max_staleness_seconds % 60,
  )
}

resource "google_bigquery_dataset" "store" {
  dataset_id  = local.store_dataset
  location    = var.bigquery_location
  description = "Tributary's tables: one row a record, tombstones and versions kept. Written by the pipeline only."
  labels      = local.labels

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}

resource "google_bigquery_dataset" "views" {
  dataset_id  = var.dataset
  location    = var.bigquery_location
  description = "What people query: the newest state of every record, deleted ones hidden."
  labels      = local.labels

  depends_on = [google_project_service.api]
}

# The views may read the tables for whoever may query the views.
resource "google_bigquery_dataset_access" "views_read_store" {
  dataset_id = google_bigquery_dataset.store.dataset_id

  dataset {
    target_types = ["VIEWS"]

    dataset {
      project_id = var.project
      dataset_id = google_bigquery_dataset.views.dataset_id
    }
  }
}

resource "google_bigquery_table" "table" {
  for_each = local.tables

  dataset_id          = google_bigquery_dataset.store.dataset_id
  table_id            = each.key
  description         = each.value.description
  labels              = local.labels
  clustering          = each.value.clustering
  max_staleness       = local.staleness
  deletion_protection = var.deletion_protection

  schema = jsonencode([
    for column in each.value.columns : merge(
      { name = column.name, type = column.type, mode = column.mode, description = column.description },
      column.pii && var.protect_personal_data ? { policyTags = { names = google_data_catalog_policy_tag.personal[*].name } } : {},
    )
  ])

  # Upserts by change need a primary key, which BigQuery does not enforce.
  table_constraints {
    primary_key {
      columns = each.value.primaryKey
    }
  }

  dynamic "time_partitioning" {
    for_each = each.value.partitionBy == null ? [] : [each.value.partitionBy]

    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }
}

resource "google_bigquery_table" "view" {
  for_each = local.views

  dataset_id          = google_bigquery_dataset.views.dataset_id
  table_id            = each.key
  description         = each.value.description
  labels              = local.labels
  deletion_protection = false

  view {
    query          = replace(each.value.query, "{store}", "`${var.project}`.`${google_bigquery_dataset.store.dataset_id}`")
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.table]
}

resource "google_data_catalog_taxonomy" "tributary" {
  count = var.protect_personal_data ? 1 : 0

  display_name           = var.name
  description            = "Which of Tributary's columns may be seen by whom."
  region                 = lower(var.bigquery_location)
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]

  depends_on = [google_project_service.api]
}

resource "google_data_catalog_policy_tag" "personal" {
  count = var.protect_personal_data ? 1 : 0

  taxonomy     = google_data_catalog_taxonomy.tributary[0].id
  display_name = "personal data"
  description  = "Names, addresses, phones, and what was said or written."
}
