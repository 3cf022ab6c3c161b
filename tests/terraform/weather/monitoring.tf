resource "aws_cloudwatch_event_rule" "crawled" {
  name        = "weather-crawled"
  description = "The crawler has finished."
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Crawler State Change"]
    detail      = { crawlerName = [aws_glue_crawler.nightly.name], state = ["Succeeded"] }
  })
}

resource "aws_cloudwatch_event_target" "report" {
  rule = aws_cloudwatch_event_rule.crawled.name
  arn  = aws_lambda_function.all["report"].arn
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 2
  }
}

resource "aws_sns_topic" "news" {
  name         = "weather-news"
  display_name = "Weather"
}

data "aws_iam_policy_document" "news" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.news.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "news" {
  arn    = aws_sns_topic.news.arn
  policy = data.aws_iam_policy_document.news.json
}

resource "aws_sns_topic_subscription" "news" {
  topic_arn = aws_sns_topic.news.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.failed_schedules.arn
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "weather-errors"
  alarm_description   = "A function has failed."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.news.arn]
  dimensions = {
    FunctionName = aws_lambda_function.all["measure"].function_name
  }
}

resource "aws_cloudwatch_dashboard" "weather" {
  dashboard_name = "weather"
  dashboard_body = jsonencode({
    widgets = [{
      type   = "metric"
      x      = 0
      y      = 0
      width  = 12
      height = 6
      properties = {
        title   = "Runs"
        region  = "eu-central-1"
        metrics = [["AWS/Lambda", "Invocations", "FunctionName", aws_lambda_function.all["measure"].function_name]]
      }
    }]
  })
}

resource "aws_budgets_budget" "monthly" {
  name         = "weather"
  budget_type  = "COST"
  limit_amount = "5"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = ["harbour@example.com"]
  }
}
