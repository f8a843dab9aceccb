# State belongs in a bucket of its own, versioned and closed to all but who applies. It is named at init, so that nothing of
# an installation is in these files:
#   terraform init -backend-config=bucket=<project>-terraform -backend-config=prefix=tributary
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
}
