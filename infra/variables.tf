variable "project" {
  description = "Google Cloud project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of the workloads and the bucket, e.g. us-central1. Must be near the datasets' location."
  type        = string
}

variable "name" {
  description = "Begins the names of what is made once a project: workloads, service accounts, the bucket, secrets, alerts. Topics and subscriptions have the services' own names."
  type        = string
  default     = "tributary"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "At most 12 lower-case letters, digits and hyphens: a service account's id has 30 characters."
  }
}

variable "image" {
  description = "The image of all workloads, by digest (…@sha256:…) so that what runs is known. Null makes everything but the workloads: the first apply, before there is an image."
  type        = string
  default     = null
}

variable "installation" {
  description = "Names this installation in runs, API usage and dead letters. Null: the project."
  type        = string
  default     = null
}

variable "sources" {
  description = "Sources that run, e.g. [\"salesforce\", \"dialpad\"]. What belongs to no source always runs. Topics and tables are made for all."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.sources, local.all_sources)) == 0
    error_message = "Known sources are ${join(", ", local.all_sources)}."
  }
}

variable "settings" {
  description = "Settings of the runtime and the services by name, as docs/configuration.md lists them, e.g. {\"salesforce.instanceUrl\" = \"https://acme.my.salesforce.com\"}. Not for secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), local.known_settings)) == 0
    error_message = "Not a setting, or one that is secret or set here already: ${join(", ", setsubtract(keys(var.settings), local.known_settings))}."
  }
}

variable "secrets" {
  description = "Secret settings that are in use, e.g. [\"salesforce.clientSecret\"]: each must have a version in Secret Manager, or the workload does not start."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.secrets, keys(local.all_secrets))) == 0
    error_message = "Known secrets are ${join(", ", keys(local.all_secrets))}."
  }
}

variable "instances" {
  description = "Instances of a service's worker pool, by service; others have 1. More than 1 of a service that runs under one lease only stand by."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.instances), keys(local.services))) == 0
    error_message = "Known services are ${join(", ", keys(local.services))}."
  }
}

variable "limits" {
  description = "Processor and memory of one instance, by service; others have 1 processor and 1 GiB. The resolver needs 226 bytes a contact on top (docs/scale.md)."
  type        = map(object({ cpu = string, memory = string }))
  default     = {}
}

variable "receiver_instances" {
  description = "Fewest and most instances of each receiver. One is always up: a vendor gives up within seconds, sooner than a cold start may take."
  type        = object({ least = number, most = number })
  default     = { least = 1, most = 10 }
}

variable "public_receivers" {
  description = "Whether everybody may call the receivers. Vendors have no Google identity; the receivers verify signatures. False where a gateway with an identity stands before them."
  type        = bool
  default     = true
}

variable "reconcile_schedule" {
  description = "When every source that is on is reconciled, in cron's notation, UTC."
  type        = string
  default     = "17 3 * * *"
}

variable "reconcile_since" {
  description = "How far the periodic reconcile looks back, as the command takes it: longer than the time between two runs."
  type        = string
  default     = "-26h"
}

variable "bigquery_location" {
  description = "Location of the datasets: US, EU or a region. The multi-regions have ten times the write quota (docs/scale.md). Cannot be changed later."
  type        = string
  default     = "US"
}

variable "dataset" {
  description = "Dataset of the views that people query; the tables are in the one named like it with _store."
  type        = string
  default     = "sales_intelligence"
}

variable "manage_tables" {
  description = "Whether Terraform makes the tables and views. False: `tributary warehouse apply` does, which plain inserts (bigquery.writes=insert-all) need."
  type        = bool
  default     = true
}

variable "max_staleness_seconds" {
  description = "How old the rows may be that a query shows. 0: each query merges what has arrived, so that rows show at once and each query costs more."
  type        = number
  default     = 0

  validation {
    condition     = var.max_staleness_seconds >= 0 && var.max_staleness_seconds <= 86400
    error_message = "From 0 to 86400 seconds."
  }
}

variable "protect_personal_data" {
  description = "Whether columns with personal data carry a policy tag, so that only pii_readers see them. A query of everybody else that touches such a column, SELECT * too, is refused."
  type        = bool
  default     = false
}

variable "pii_readers" {
  description = "Who sees columns with personal data, e.g. group:revops@acme.example. Only with protect_personal_data."
  type        = set(string)
  default     = []
}

variable "analysts" {
  description = "Who queries the views, e.g. group:analysts@acme.example. The tables under them stay closed to them."
  type        = set(string)
  default     = []
}

variable "operators" {
  description = "Who replays dead letters, starts backfills and looks into the stored tables, e.g. group:data-engineers@acme.example."
  type        = set(string)
  default     = []
}

variable "claim_days" {
  description = "How long bodies that are too large for a message are kept: longer than a message may wait."
  type        = number
  default     = 14

  validation {
    condition     = var.claim_days > local.longest_wait_days
    error_message = "Messages wait up to ${local.longest_wait_days} days; their bodies must outlive them."
  }
}

variable "archive_days" {
  description = "How long raw events are archived; null: for good. The archive holds personal data: an erasure must reach it, or it must be short."
  type        = number
  default     = 400
}

variable "parked_days" {
  description = "How long dead letters are kept when nobody replays or drops them."
  type        = number
  default     = 90
}

variable "kms_key" {
  description = "Key that encrypts topics, the bucket, the datasets and secrets: projects/…/cryptoKeys/…, in the datasets' location; null: Google's own keys. Secrets want a key in location global, or null here."
  type        = string
  default     = null
}

variable "alert_emails" {
  description = "Who gets alerts by e-mail, beside the topic ingestion-errors."
  type        = set(string)
  default     = []
}

variable "backlog_minutes" {
  description = "How long the oldest message may wait before an alert, by the end of its subscription's name. A backfill may take hours."
  type        = map(number)
  default     = { live = 5, bulk = 720, given-up = 60 }
}

variable "silence_minutes" {
  description = "How long the poll may find changes of which no push told before an alert. A backfill publishes without pushes: longer than one."
  type        = number
  default     = 240
}

variable "otel_endpoint" {
  description = "Where OpenTelemetry metrics and traces are sent (OTLP over HTTP); null: nowhere."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete tables, workloads and a bucket that holds something. False only to tear everything down."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels on everything that takes some."
  type        = map(string)
  default     = {}
}
