# A schema's new definition becomes a revision. Topics name neither a first nor a last one: a dead letter's replay sends
# bytes that an older version wrote, and during an update two versions publish.
resource "google_pubsub_schema" "body" {
  for_each = local.topology.schemas

  name       = each.key
  type       = "AVRO"
  definition = each.value.definition

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topology.topics

  name                       = each.key
  labels                     = local.labels
  kms_key_name               = var.kms_key
  message_retention_duration = each.value.retentionSeconds == 0 ? null : "${each.value.retentionSeconds}s"

  dynamic "schema_settings" {
    for_each = each.value.schema == null ? [] : [each.value.schema]

    content {
      schema   = google_pubsub_schema.body[schema_settings.value].id
      encoding = "BINARY"
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}

resource "google_pubsub_subscription" "subscription" {
  for_each = local.topology.subscriptions

  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  labels                     = local.labels
  filter                     = each.value.filter
  ack_deadline_seconds       = each.value.ackDeadlineSeconds
  message_retention_duration = "${each.value.retentionSeconds}s"

  # Never: one that nobody pulls from for a month has everything still to do.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${each.value.minimumBackoffSeconds}s"
    maximum_backoff = "${each.value.maximumBackoffSeconds}s"
  }

  # The last resort behind the services' own dead letters.
  dynamic "dead_letter_policy" {
    for_each = each.value.deadLetterTopic == null ? [] : [each.value.deadLetterTopic]

    content {
      dead_letter_topic     = google_pubsub_topic.topic[dead_letter_policy.value].id
      max_delivery_attempts = each.value.maxDeliveryAttempts
    }
  }

  lifecycle {
    # Another filter or topic is another subscription: what waits in this one would be lost without a word.
    prevent_destroy = true
  }
}
