workspace "rtx4080" {
  profile = "constrained_16gb"

  gpu "0" {
    memory  = "16GiB"
    reserve = "2GiB"
  }

  # coder does not fit on this card: it is registered, not served.
  serve "captioner" {
    port = 24001
    gpus = ["0"]
    args = { max_model_len = 4096 } # only here
  }
}
