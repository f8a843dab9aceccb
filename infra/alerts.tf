# Alerts go to the topic that dead letters are told on too, so that one consumer sees all that is wrong.
locals {
  errors_topic = local.topology.errorsTopic
  channels     = concat([google_monitoring_notification_channel.topic.id], [for channel in google_monitoring_notification_channel.email : channel.id])
}

resource "google_monitoring_notification_channel" "topic" {
  display_name = "${var.name}: ${local.errors_topic}"
  type         = "pubsub"

  labels = {
    topic = google_pubsub_topic.topic[local.errors_topic].id
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "${var.name}: ${each.key}"
  type         = "email"

  labels = {
    email_address = each.key
  }

  depends_on = [google_project_service.api]
}

# Google makes the agent with the first channel.
resource "google_pubsub_topic_iam_member" "notifications" {
  topic  = google_pubsub_topic.topic[local.errors_topic].id
  role   = "roles/pubsub.publisher"
  member = local.agents.notifications

  depends_on = [google_monitoring_notification_channel.topic]
}

resource "google_monitoring_alert_policy" "backlog" {
  for_each = var.backlog_minutes

  display_name          = "${var.name}: messages wait (${each.key})"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "The oldest message waits for more than ${each.value} minutes"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"pubsub_subscription\"",
        "metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"",
        "resource.labels.subscription_id = monitoring.regex.full_match(\"(${join("|", keys(local.services))})[.].*${each.key}\")",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = each.value * 60
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A stage does not keep up, or is paused because something it depends on is down. Look at its log for servicePaused; docs/runbooks/source-down.md, docs/runbooks/warehouse.md."
  }
}

resource "google_monitoring_alert_policy" "parked" {
  display_name          = "${var.name}: dead letters"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "A message was parked"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"pubsub_topic\"",
        "metric.type = \"pubsub.googleapis.com/topic/send_request_count\"",
        "resource.labels.topic_id = monitoring.regex.full_match(\"${join("|", [for name in local.dead_letter_topics : replace(name, ".", "[.]")])}\")",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  alert_strategy {
    auto_close = "3600s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Messages could not be processed and are kept with their reason. docs/runbooks/dead-letters-grow.md."
  }
}

# A source's poll finds changes while its pushes are silent: either alone is normal (a quiet night, a busy one).
resource "google_monitoring_alert_policy" "silence" {
  for_each = local.hint_topics

  display_name          = "${var.name}: ${each.key} is silent"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "Changes for ${var.silence_minutes} minutes, and no push told of one"

    condition_prometheus_query_language {
      query = join(" unless ", [
        "(sum(increase(pubsub_googleapis_com:topic_send_request_count{monitored_resource=\"pubsub_topic\",topic_id=\"${each.value.polledBy}\"}[${var.silence_minutes}m])) > 0)",
        "(sum(increase(pubsub_googleapis_com:topic_send_request_count{monitored_resource=\"pubsub_topic\",topic_id=\"${each.key}\"}[${var.silence_minutes}m])) > 0)",
      ])
      duration            = "0s"
      evaluation_interval = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Rows still arrive, but only as often as the poll runs. docs/runbooks/cdc-silent.md."
  }
}

# What the services log once and do not recover from by themselves.
resource "google_monitoring_alert_policy" "drift" {
  display_name          = "${var.name}: the warehouse is not as the schemas say"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "A workload refused to start"

    condition_matched_log {
      filter = "resource.type = (\"cloud_run_revision\" OR \"cloud_run_worker_pool\" OR \"cloud_run_job\") AND \"warehouse_drift\""
    }
  }

  alert_strategy {
    auto_close = "3600s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Apply Terraform of the version that runs, or `tributary warehouse apply`. docs/runbooks/warehouse.md."
  }
}
