variable "weights" {
  type        = string
  default     = "/srv/models"
  description = "Folder with one directory per model."
}

variable "context" {
  type        = number
  default     = 8192
  description = "Longest request, in tokens."

  validation {
    condition     = var.context >= 1024 && var.context % 16 == 0
    error_message = "The context must be at least 1024 and a multiple of 16."
  }
}

# No default, so that it must be given: LOADOUT_VAR_api_key=… loadout plan.
# It reaches the environment of the server; everything else sees a hash.
variable "api_key" {
  type      = string
  sensitive = true
}
