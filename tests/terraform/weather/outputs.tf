output "workgroup" {
  value = aws_athena_workgroup.weather.name
}

output "coldest" {
  value = aws_athena_named_query.coldest.id
}
