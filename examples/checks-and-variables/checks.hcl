locals {
  licenses = ["apache-2.0", "mit"]
}

# An error, which is the default: apply refuses, plan exits with 4.
check "one_chat_default" {
  assert {
    condition     = length([for m in models : m.name if contains(m.aliases, "chat/default")]) == 1
    error_message = "Exactly one model must answer as chat/default."
  }
}

check "nothing_on_trial_is_served" {
  assert {
    condition     = length([for m in models : m.name if m.testing && m.served]) == 0
    error_message = "Models that are marked as testing must not be served here."
  }
}

# A warning is shown and blocks nothing.
check "licenses" {
  severity = "warning"

  assert {
    condition     = length([for m in models : m.name if !contains(local.licenses, m.license)]) == 0
    error_message = "The license of every model must be one of ${join(", ", local.licenses)}."
  }
}
