workspace "rtx4080" {
  gpu "0" {
    memory  = "16GiB"
    reserve = "2GiB" # the desktop's
  }

  serve "qwen2.5-7b" {
    port = 24001
    gpus = ["0"]
  }
}
