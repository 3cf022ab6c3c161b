resource "aws_glue_catalog_database" "weather" {
  name        = "weather"
  description = "What the stations have measured."
}

resource "aws_glue_crawler" "nightly" {
  name          = "weather-nightly"
  database_name = aws_glue_catalog_database.weather.name
  role          = aws_iam_role.crawler.arn
  schedule      = "cron(30 9 * * ? *)"
  configuration = jsonencode({
    Version       = 1
    CrawlerOutput = { Partitions = { AddOrUpdateBehavior = "InheritFromTable" } }
    Grouping      = { TableLevelConfiguration = 3 }
  })
  s3_target {
    path       = "s3://${aws_s3_bucket.lake.bucket}/tables/"
    exclusions = ["**/_*"]
  }
  schema_change_policy {
    delete_behavior = "LOG"
    update_behavior = "UPDATE_IN_DATABASE"
  }
  recrawl_policy {
    recrawl_behavior = "CRAWL_EVERYTHING"
  }
  depends_on = [aws_iam_role_policy_attachment.crawler]
}

resource "aws_athena_workgroup" "weather" {
  name          = "weather"
  description   = "Queries of the weather."
  force_destroy = true
  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit
    engine_version {
      selected_engine_version = "Athena engine version 3"
    }
    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.bucket}/results/"
      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

resource "aws_athena_named_query" "coldest" {
  name        = "coldest"
  description = "The coldest station."
  workgroup   = aws_athena_workgroup.weather.id
  database    = aws_glue_catalog_database.weather.name
  query       = "SELECT station FROM readings ORDER BY celsius LIMIT 1"
}

resource "aws_athena_prepared_statement" "colder" {
  name            = "colder_than"
  workgroup       = aws_athena_workgroup.weather.id
  query_statement = "SELECT count(*) FROM readings WHERE celsius < ?"
}
