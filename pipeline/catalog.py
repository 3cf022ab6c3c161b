"""From Parquet to tables: the Glue database, its crawler, and the publish function with all that starts it."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from handlers.layout import TABLES_PREFIX
from handlers.tables import TABLES
from pipeline import packaging, policies, schedule
from pipeline.function import Function
from pipeline.lake import Lake
from pipeline.queues import Queue
from pipeline.schedule import Schedule
from pipeline.settings import Settings

PUBLISH_TIMEOUT_SECONDS = 900
"""Lambda's longest."""

_TABLE_LEVEL = 3
"""Depth of a table's folder, where the bucket itself is level 1: <bucket>/tables/<table>."""

_EARLIER_FOLDERS = [
    "*/dt=*/**",
    *(f"{table.name}/month=*/**" for table in TABLES.values() if "month" in table.earlier_partition_keys),
]
"""Folders of the partition keys that tables had before: a crawler would take a table in which folders have several keys
for another one. Their partitions are in the catalog since they had that key."""

_CRAWLER_CONFIGURATION = {
    "Version": 1.0,
    "CrawlerOutput": {
        # Athena fails with HIVE_PARTITION_SCHEMA_MISMATCH where a partition has a schema of its own.
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    },
    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": _TABLE_LEVEL},
    "CreatePartitionIndex": False,
}


class GlueCatalog(pulumi.ComponentResource):
    """The database, the crawler with its schedule, and the publish function.

    Publish runs after each successful crawl. EventBridge delivers that event on a best-effort basis, so a schedule
    starts it too; and so does a deployment that may have changed tables or views.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        lake: the buckets.
        database_name: the database's physical name, which queries and tools rely on.
        workgroup: the Athena workgroup in which publish runs its queries.
        log_group: the log group of publish.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        *,
        database_name: str,
        workgroup: aws.athena.Workgroup,
        log_group: aws.cloudwatch.LogGroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Catalog", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.database = aws.glue.CatalogDatabase(
            name, name=database_name, description="Spotify library and listening history.", opts=child
        )
        self.crawler = self._crawler(name, settings, lake)
        self.crawl_dead_letters = Queue(f"{name}-crawl-dead-letters", opts=child)
        Schedule(
            f"{name}-crawl",
            description="Starts the crawler after the daily run.",
            expression=schedule.daily(settings.crawl_time.hour, settings.crawl_time.minute),
            # A crawler's own schedule supports only UTC.
            timezone=settings.timezone,
            target_arn=self.crawler.arn.apply(
                lambda arn: f"arn:{arn.split(':')[1]}:scheduler:::aws-sdk:glue:startCrawler"
            ),
            account_arn=self.crawler.arn,
            event=pulumi.Output.json_dumps({"Name": self.crawler.name}),
            policy=policies.render(
                policies.start_crawler, crawler=self.crawler.arn, dead_letters=self.crawl_dead_letters.arn
            ),
            dead_letters=self.crawl_dead_letters,
            enabled=settings.schedules_enabled,
            opts=child,
        )
        self.crawled = crawled = aws.cloudwatch.EventRule(
            f"{name}-crawled",
            description="Starts the publish function when the crawler has succeeded.",
            event_pattern=pulumi.Output.json_dumps(
                {
                    "source": ["aws.glue"],
                    "detail-type": ["Glue Crawler State Change"],
                    "detail": {"crawlerName": [self.crawler.name], "state": ["Succeeded"]},
                }
            ),
            opts=child,
        )
        self.publish_dead_letters = Queue(f"{name}-publish-dead-letters", rule=crawled.arn, opts=child)
        self.function = Function(
            f"{name}-publish",
            settings,
            handler="publish",
            policy=policies.render(
                policies.publish,
                results_bucket=lake.results.arn,
                database=self.database.arn,
                workgroup=workgroup.arn,
                dead_letters=self.publish_dead_letters.arn,
                log_group=log_group.arn,
                kms_key=settings.kms_key_arn,
            ),
            log_group=log_group,
            memory_mb=256,
            timeout_seconds=PUBLISH_TIMEOUT_SECONDS,
            environment={
                "TRANSFORMED_BUCKET": lake.transformed.name,
                "GLUE_DATABASE": self.database.name,
                "ATHENA_WORKGROUP": workgroup.name,
                "TIMEZONE": settings.timezone,
            },
            dead_letters=self.publish_dead_letters,
            opts=child,
        )
        permission = aws.lambda_.Permission(
            f"{name}-crawled",
            action="lambda:InvokeFunction",
            function=self.function.name,
            principal="events.amazonaws.com",
            source_arn=crawled.arn,
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-crawled",
            rule=crawled.name,
            arn=self.function.arn,
            retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 10},
            dead_letter_config={"arn": self.publish_dead_letters.arn},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, self.publish_dead_letters.policy]),
        )
        Schedule(
            f"{name}-views",
            description="Publishes tables and views after the crawl, in case its event was lost.",
            expression=schedule.daily(settings.publish_time.hour, settings.publish_time.minute),
            timezone=settings.timezone,
            target_arn=self.function.arn,
            account_arn=self.function.arn,
            event=json.dumps({"trigger": "schedule"}),
            policy=policies.render(
                policies.invoke, function=self.function.arn, dead_letters=self.publish_dead_letters.arn
            ),
            dead_letters=self.publish_dead_letters,
            enabled=settings.schedules_enabled,
            opts=child,
        )
        # Fails the deployment if publish fails. Invoked again only if a trigger changes.
        aws.lambda_.Invocation(
            f"{name}-publish",
            function_name=self.function.name,
            input=json.dumps({"trigger": "deployment"}),
            triggers={
                "code": packaging.build_code().sha256,
                "timezone": settings.timezone,
                "database": self.database.name,
                "bucket": lake.transformed.name,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.function]),
        )
        self.register_outputs({})

    def _crawler(self, name: str, settings: Settings, lake: Lake) -> aws.glue.Crawler:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-crawler",
            assume_role_policy=policies.render(
                policies.trust, service="glue.amazonaws.com", neighbour=self.database.arn
            ),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-crawler",
            role=role.name,
            policy=policies.render(
                policies.crawler,
                transformed_bucket=lake.transformed.arn,
                database=self.database.arn,
                kms_key=settings.kms_key_arn,
            ),
            opts=child,
        )
        return aws.glue.Crawler(
            name,
            description="Registers new partitions and columns of the tables.",
            database_name=self.database.name,
            role=role.arn,
            s3_targets=[
                {
                    "path": pulumi.Output.concat("s3://", lake.transformed.name, "/", TABLES_PREFIX),
                    "exclusions": _EARLIER_FOLDERS,
                    "sample_size": 1,
                }
            ],
            # A crawl that finds nothing must not delete tables.
            schema_change_policy={"update_behavior": "UPDATE_IN_DATABASE", "delete_behavior": "LOG"},
            recrawl_policy={"recrawl_behavior": "CRAWL_EVERYTHING"},
            configuration=json.dumps(_CRAWLER_CONFIGURATION),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions]),
        )
