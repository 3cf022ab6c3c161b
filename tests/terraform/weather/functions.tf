locals {
  functions = {
    measure = [
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.raw.arn}/*"] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.station.arn] },
    ]
    convert = [
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.raw.arn}/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.lake.arn}/*"] },
      {
        actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        resources = [aws_sqs_queue.arrivals.arn]
      },
    ]
    report = [{ actions = ["sns:Publish"], resources = [aws_sns_topic.news.arn] }]
  }
}

resource "aws_lambda_layer_version" "packages" {
  layer_name               = "weather-packages"
  filename                 = "${var.packages}/layer.zip"
  source_code_hash         = filebase64sha256("${var.packages}/layer.zip")
  compatible_runtimes      = ["python3.13"]
  compatible_architectures = ["arm64"]
  description              = "pyarrow ${var.pyarrow}"
}

resource "aws_lambda_function" "all" {
  for_each = local.functions

  function_name    = "weather-${each.key}"
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "main.handler"
  filename         = "${var.packages}/${each.key}.zip"
  source_code_hash = filebase64sha256("${var.packages}/${each.key}.zip")
  role             = aws_iam_role.functions[each.key].arn
  layers           = [aws_lambda_layer_version.packages.arn]
  timeout          = 60
  memory_size      = var.memory

  environment {
    variables = {
      RAW_BUCKET  = aws_s3_bucket.raw.bucket
      LAKE_BUCKET = aws_s3_bucket.lake.bucket
      SECRET      = aws_secretsmanager_secret.station.name
      TOPIC       = aws_sns_topic.news.arn
    }
  }
  ephemeral_storage {
    size = 1024
  }
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.functions[each.key].name
  }
  depends_on = [aws_iam_role_policy.functions]
}

resource "aws_cloudwatch_log_group" "functions" {
  for_each = local.functions

  name              = "/weather/${each.key}"
  retention_in_days = var.log_retention
}

resource "aws_lambda_event_source_mapping" "convert" {
  event_source_arn                   = aws_sqs_queue.arrivals.arn
  function_name                      = aws_lambda_function.all["convert"].arn
  batch_size                         = 10
  maximum_batching_window_in_seconds = 5
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = 2
  }
}

resource "aws_lambda_function_event_invoke_config" "measure" {
  function_name                = aws_lambda_function.all["measure"].function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 1
  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_schedules.arn
    }
  }
}

resource "aws_lambda_permission" "crawled" {
  function_name = aws_lambda_function.all["report"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.crawled.arn
}
