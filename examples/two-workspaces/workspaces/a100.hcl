workspace "a100" {
  profile = "shared_80gb"

  gpu "0" {
    memory  = "80GiB"
    reserve = "2GiB"
  }

  # Two models on one card: each takes its share, however small its weights are,
  # and the shares together must leave some room.
  serve "captioner" {
    port = 24001
    host = "0.0.0.0"
    gpus = ["0"]
    args = { gpu_memory_utilization = 0.30 }
  }

  serve "coder" {
    port = 24002
    host = "0.0.0.0"
    gpus = ["0"]
    args = { gpu_memory_utilization = 0.60 }
  }
}
