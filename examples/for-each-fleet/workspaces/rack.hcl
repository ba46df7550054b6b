workspace "rack" {
  gpu "0" {
    memory = "24GiB"
  }
  gpu "1" {
    memory = "24GiB"
  }
  gpu "2" {
    memory = "24GiB"
  }

  serve "translator" {
    for_each = local.fleet
    port     = each.value.port
    gpus     = [each.value.gpu]
  }
}
