resource "aws_scheduler_schedule" "measure" {
  name                         = "weather-measure"
  description                  = "Reads the stations."
  schedule_expression          = var.every
  schedule_expression_timezone = "Europe/Berlin"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_lambda_function.all["measure"].arn
    role_arn = aws_iam_role.schedule.arn
    # jsonencode would escape the brackets, and EventBridge Scheduler would not find the placeholder.
    input = "{\"time\": \"<aws.scheduler.scheduled-time>\"}"
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 2
    }
    dead_letter_config {
      arn = aws_sqs_queue.failed_schedules.arn
    }
  }
  depends_on = [aws_iam_role_policy.schedule]
}

resource "aws_secretsmanager_secret" "station" {
  name                    = "weather-station"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "station" {
  secret_id     = aws_secretsmanager_secret.station.id
  secret_string = jsonencode({ station = "harbour" })
}
