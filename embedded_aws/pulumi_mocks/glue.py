"""Glue databases and crawlers."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource


def _database(resource: Resource) -> Created:
    name = resource.physical_name(longest=255)
    arguments = resource.arguments
    request = arguments.request("catalogId")
    database = {"Name": name} | arguments.request("description", "locationUri", parameters="Parameters")
    resource.account.client("glue").create_database(DatabaseInput=database, Tags=resource.tags(), **request)
    catalog = request.get("CatalogId", resource.account.account_id)
    return f"{catalog}:{name}", {
        "arn": resource.account.arn("glue", f"database/{name}"),
        "catalogId": catalog,
        "name": name,
    }


def _crawler(resource: Resource) -> Created:
    name = resource.physical_name(longest=255)
    arguments = resource.arguments
    request = arguments.request(
        "classifiers",
        "configuration",
        "databaseName",
        "description",
        "lineageConfiguration",
        "recrawlPolicy",
        "role",
        "schedule",
        "schemaChangePolicy",
        "tablePrefix",
        securityConfiguration="CrawlerSecurityConfiguration",
    )
    targets = {
        "S3Targets": arguments.api("s3Targets"),
        "CatalogTargets": arguments.api("catalogTargets"),
        "DynamoDBTargets": arguments.api("dynamodbTargets"),
        "JdbcTargets": arguments.api("jdbcTargets"),
    }
    resource.account.client("glue").create_crawler(
        Name=name,
        Targets={kind: found for kind, found in targets.items() if found},
        Tags=resource.tags(),
        **request,
    )
    return name, {"arn": resource.account.arn("glue", f"crawler/{name}"), "name": name}


RESOURCES: dict[str, Create] = {
    "aws:glue/catalogDatabase:CatalogDatabase": _database,
    "aws:glue/crawler:Crawler": _crawler,
}

NOT_APPLIED: dict[str, dict[str, str]] = {}
