db = "/srv/jobman"
run {
  group = "All of them"
  notify {
    any = ["ops", "me"]
  }
  stop-grace = "5s"
  wait {
    file = ["/a,b", "/c"]
    any = true
  }
  retries {
    num-runs = 3
    exponential-backoff-base = 1.5
    success-codes = "0,10-19"
  }
}
list {
  limit = 50
}
kill-run {
  now = true
}
patterns {
  match = "^Rsync -a\\.b"
  log {
    file {
      max-bytes = "10MB"
    }
  }
}
patterns {
  match = "C"
  timeout.run = "1h"
}
groups "Etl" {
  retries {
    delay = "30s"
  }
}
names "Nightly.v2-x" {
  timeout = "2h"
  log {
    stdout = false
  }
}
names "UPPER" {
  retry = 2
}
job_spec "Back.Up" {
  command = ["restic", "backup", "/Home"]
}
sensors "Data-Ready" {
  type = "s3"
  urls = ["s3://Lake/2026/"]
  delay = "30s"
}
callbacks "Ops" {
  type = "slack"
  url_file = "~/.config/Slack-hook"
  on = ["job-failure", "retry"]
}
reaper {
  max_jobs = 1000
  max_age = "30d"
}
