data "aws_iam_policy_document" "trust" {
  for_each = toset(["lambda", "scheduler", "glue"])

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "functions" {
  for_each = local.functions

  name               = "weather-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust["lambda"].json
}

data "aws_iam_policy_document" "functions" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.functions[each.key].arn}:*"]
  }
  dynamic "statement" {
    for_each = each.value
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
  dynamic "statement" {
    for_each = each.key == "measure" ? [true] : []
    content {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.failed_schedules.arn]
    }
  }
}

resource "aws_iam_role_policy" "functions" {
  for_each = local.functions

  role   = aws_iam_role.functions[each.key].name
  policy = data.aws_iam_policy_document.functions[each.key].json
}

resource "aws_iam_role" "schedule" {
  name               = "weather-schedule"
  assume_role_policy = data.aws_iam_policy_document.trust["scheduler"].json
}

data "aws_iam_policy_document" "schedule" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.all["measure"].arn]
  }
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed_schedules.arn]
  }
}

resource "aws_iam_role_policy" "schedule" {
  role   = aws_iam_role.schedule.name
  policy = data.aws_iam_policy_document.schedule.json
}

resource "aws_iam_role" "crawler" {
  name               = "weather-crawler"
  assume_role_policy = data.aws_iam_policy_document.trust["glue"].json
}

data "aws_iam_policy_document" "crawler" {
  statement {
    actions   = ["s3:ListBucket", "s3:GetObject"]
    resources = [aws_s3_bucket.lake.arn, "${aws_s3_bucket.lake.arn}/*"]
  }
  statement {
    actions   = ["glue:*", "logs:*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "crawler" {
  name        = "weather-crawler"
  path        = "/weather/"
  description = "What the crawler reads and writes."
  policy      = data.aws_iam_policy_document.crawler.json
}

resource "aws_iam_role_policy_attachment" "crawler" {
  role       = aws_iam_role.crawler.name
  policy_arn = aws_iam_policy.crawler.arn
}
