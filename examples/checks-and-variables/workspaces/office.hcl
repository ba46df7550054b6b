workspace "office" {
  gpu "0" {
    memory = "24GiB"
  }

  serve "chat" {
    port = 24001
    gpus = ["0"]
  }
}
