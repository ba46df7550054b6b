workspace "homelab" {
  serve "chat" {}
}
