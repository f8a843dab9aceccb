# What the topology says, in the shapes that resources loop over. No service, topic or table is named in any .tf file.
locals {
  topology = jsondecode(file("${path.module}/topology.json"))
  services = local.topology.services
  labels   = merge(var.labels, { application = var.name })

  all_sources = toset([for service in values(local.services) : service.source if service.source != null])
  # Topics, tables and rights are there for all; only what is on runs.
  running = { for name, service in local.services : name => service if service.source == null || contains(var.sources, coalesce(service.source, "-")) }

  dead_letter_topics = toset([for name, topic in local.topology.topics : name if topic.kind == "dead-letters"])
  hint_topics        = { for name, topic in local.topology.topics : name => topic if topic.polledBy != null }
  given_up           = { for name, subscription in local.topology.subscriptions : name => subscription if subscription.deadLetterTopic != null }
  longest_wait_days  = max([for subscription in values(local.topology.subscriptions) : subscription.retentionSeconds]...) / 86400
  written_topics     = toset([for grant in local.grants : grant.name if grant.on == "topic" && grant.role == "roles/pubsub.publisher"])

  grants = flatten([
    for name, service in local.services : [
      for grant in service.grants : merge(grant, { service = name, key = join("|", [name, grant.role, grant.name]) })
    ]
  ])

  all_secrets = merge([
    for name, service in local.services : { for entry, secret in service.secrets : entry => merge(secret, { service = name }) }
  ]...)

  # What Terraform says itself; everything else may be given by var.settings.
  deployed_settings = {
    "broker"                       = "pubsub"
    "warehouse"                    = "bigquery"
    "storage"                      = "gcs"
    "google.project"               = var.project
    "google.location"              = var.bigquery_location
    "bigquery.dataset"             = var.dataset
    "bigquery.maxStalenessSeconds" = tostring(var.max_staleness_seconds)
    "bigquery.policyTag"           = one(google_data_catalog_policy_tag.personal[*].name)
    "gcs.bucket"                   = google_storage_bucket.state.name
    "installation"                 = coalesce(var.installation, var.project)
    "log.format"                   = "cloud"
    "otel.endpoint"                = var.otel_endpoint
    "web.host"                     = "0.0.0.0"
    "web.port"                     = tostring(local.receiver_port)
  }
  receiver_port = 8080
  deployed_names = [
    "broker", "warehouse", "storage", "google.project", "google.location", "bigquery.dataset", "bigquery.maxStalenessSeconds",
    "bigquery.policyTag", "gcs.bucket", "installation", "log.format", "otel.endpoint", "web.host", "web.port", "services",
  ]
  known_settings = setsubtract(
    concat(keys(local.topology.settings), flatten([for service in values(local.services) : keys(service.settings)])),
    local.deployed_names,
  )

  # Service → variables of its containers. A value that is null is not set.
  environment = {
    for name, service in local.services : name => {
      for variable, value in merge(
        { for entry, variable in local.topology.settings : variable => lookup(local.deployed_settings, entry, lookup(var.settings, entry, null)) },
        { for entry, variable in service.settings : variable => lookup(var.settings, entry, null) },
        { (local.topology.settings["services"]) = name },
      ) : variable => value if value != null
    }
  }
  secret_environment = {
    for name, service in local.services : name => {
      for entry, secret in service.secrets : secret.variable => entry if contains(var.secrets, entry)
    }
  }
}
