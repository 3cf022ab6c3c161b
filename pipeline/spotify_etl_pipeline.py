"""The whole pipeline as one component."""
# No `from __future__ import annotations` here: Pulumi's analyzer cannot handle annotations that are strings.

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from pipeline.alerts import Alerts
from pipeline.analyst import AnalystAccess
from pipeline.analytics import Analytics
from pipeline.catalog import GlueCatalog
from pipeline.compaction import Compaction
from pipeline.dashboard import create_dashboard
from pipeline.extraction import Extraction
from pipeline.function import metrics_namespace
from pipeline.lake import Lake
from pipeline.monitoring import Monitoring
from pipeline.packaging import FUNCTIONS
from pipeline.settings import NAMESPACE, check_pipeline_name, settings_from_arguments
from pipeline.stack_slug import stack_slug
from pipeline.transformation import Transformation


class SpotifyEtlPipelineArgs(TypedDict, total=False):
    """The settings of the pipeline, each with a safe and cheap default.

    This is the only place that describes them: `make docs` copies the descriptions to `Pulumi.yaml` and
    docs/settings.md.
    """

    auth_mode: str
    """How the pipeline logs in: `user` can read every stream, `app` (client credentials) only `catalogue`."""
    streams: Sequence[str]
    """Streams to read. If empty: the default streams of `authMode`, and `catalogue` if `catalogueUris` is not empty."""
    catalogue_uris: Sequence[str]
    """Artists, albums and tracks that the stream `catalogue` reads, as Spotify URIs or open.spotify.com links."""
    daily_at: str
    """Time of the daily run, in `timezone`."""
    crawl_delay_minutes: int
    """Minutes between the daily run and the crawl, which registers new columns and partitions."""
    timezone: str
    """Time zone of the daily run, of the crawl and of local times in views."""
    schedules_enabled: bool
    """Whether the schedules are active; if not, runs are started manually."""
    raw_retention_days: int
    """How many days raw objects and run manifests are kept."""
    transformed_retention_days: int
    """How many days the tables of the library are kept, counted from the last day of each month."""
    plays_retention_days: int
    """How many days plays, labels, runs and rejected records are kept, counted for plays from the last day of each
    month, otherwise of each year; Spotify does not serve old plays again."""
    results_retention_days: int
    """How many days query results are kept."""
    log_retention_days: int
    """How many days logs are kept."""
    athena_scan_limit_mb: int
    """How many megabytes a single query may scan before Athena stops it."""
    architecture: str
    """Processor architecture of the Lambda functions."""
    kms_key_arn: pulumi.Input[str]
    """Your own KMS key for the buckets and the secret; if empty, keys that AWS owns are used."""
    alert_email: str
    """Address that alarms are mailed to, once its owner has confirmed AWS's first e-mail. Empty: no e-mails."""
    monthly_budget_usd: int
    """US dollars a month from which on you are notified; counts the whole AWS account. 0: no budget."""
    force_destroy: bool
    """Whether `pulumi destroy` may delete the data buckets; the program must allow it too (`allow_data_loss`)."""
    allow_data_loss: bool
    """Whether the program allows `force_destroy`, which is in the stack's configuration, to take effect."""
    spotify_api_url: str
    """Base URL of the Spotify Web API."""
    spotify_accounts_url: str
    """Base URL of the Spotify accounts service, which handles logins."""


class SpotifyEtlPipeline(pulumi.ComponentResource):
    """A Spotify library and listening history as SQL tables in Athena; examples/ shows programs with it."""

    raw_bucket_name: pulumi.Output[str]
    """Name of the bucket with the raw data from Spotify."""
    transformed_bucket_name: pulumi.Output[str]
    """Name of the bucket with the tables' Parquet files."""
    athena_results_bucket_name: pulumi.Output[str]
    """Name of the bucket with query results."""
    glue_database_name: pulumi.Output[str]
    """Name of the database with the tables and views."""
    glue_crawler_name: pulumi.Output[str]
    """Name of the crawler that registers partitions."""
    athena_workgroup_name: pulumi.Output[str]
    """Name of the workgroup to run queries in."""
    extract_function_name: pulumi.Output[str]
    """Name of the function that reads from Spotify."""
    transform_function_name: pulumi.Output[str]
    """Name of the function that writes the tables' files."""
    publish_function_name: pulumi.Output[str]
    """Name of the function that creates missing tables and the views."""
    compact_function_name: pulumi.Output[str]
    """Name of the function that makes one object of a partition's objects of closed days."""
    transform_queue_url: pulumi.Output[str]
    """URL of the queue of raw objects that wait for the transform."""
    dead_letter_queue_urls: pulumi.Output[dict[str, str]]
    """URLs of the dead-letter queues by step: extract, transform, crawl, publish, compact."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Names of the functions' log groups, by function: extract, transform, publish, compact."""
    spotify_secret_name: pulumi.Output[str]
    """Name of the secret for the Spotify app and its refresh token; it is created empty."""
    auth_mode: pulumi.Output[str]
    """How the pipeline logs in: `user` or `app`."""
    streams: pulumi.Output[list[str]]
    """The streams that are read; a login asks for the consent that they need."""
    spotify_accounts_url: pulumi.Output[str]
    """Base URL of the Spotify accounts service that a login asks."""
    alerts_topic_arn: pulumi.Output[str]
    """ARN of the topic that alarms are sent to."""
    dashboard_url: pulumi.Output[str]
    """Address of the dashboard in CloudWatch's console."""
    analyst_policy_arn: pulumi.Output[str]
    """ARN of a policy that allows to query the tables in the workgroup, and nothing else."""
    named_queries: pulumi.Output[dict[str, str]]
    """Ids of the named queries, by name."""
    region: pulumi.Output[str]
    """The AWS region of the stack."""
    next_steps: pulumi.Output[str]
    """What to do after the first deployment: numbered steps with commands to copy."""

    def __init__(
        self,
        name: str,
        args: SpotifyEtlPipelineArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        check_pipeline_name(name)
        settings = settings_from_arguments({key: value for key, value in args.items() if key != "allow_data_loss"})
        super().__init__("spotify-etl:index:SpotifyEtlPipeline", name, dict(args), opts)
        child = pulumi.ResourceOptions(parent=self)
        slug = stack_slug(pulumi.get_stack())
        database_name = f"spotify_{slug.replace('-', '_')}"

        monitoring = Monitoring(name, settings, FUNCTIONS, opts=child)
        lake = Lake(
            name, settings, destroy_data=settings.force_destroy and args.get("allow_data_loss", False), opts=child
        )
        extraction = Extraction(name, settings, lake, monitoring.log_groups["extract"], opts=child)
        transformation = Transformation(name, settings, lake, monitoring.log_groups["transform"], opts=child)
        analytics = Analytics(
            name, settings, lake, workgroup_name=f"spotify-etl-{slug}", database_name=database_name, opts=child
        )
        catalog = GlueCatalog(
            name,
            settings,
            lake,
            database_name=database_name,
            workgroup=analytics.workgroup,
            log_group=monitoring.log_groups["publish"],
            opts=child,
        )
        compaction = Compaction(
            name,
            settings,
            lake,
            layer=transformation.function.layer,
            log_group=monitoring.log_groups["compact"],
            opts=child,
        )

        analyst = AnalystAccess(
            name, settings, lake, database=catalog.database, workgroup=analytics.workgroup, opts=child
        )
        region = extraction.function.arn.apply(lambda arn: arn.split(":")[3])
        names: dict[str, pulumi.Input[str]] = {
            "extract": extraction.function.name,
            "transform": transformation.function.name,
            "publish": catalog.function.name,
            "compact": compaction.function.name,
            "transform-queue": transformation.queue.name,
            "extract-dead-letters": extraction.dead_letters.name,
            "transform-dead-letters": transformation.dead_letters.name,
            "crawl-dead-letters": catalog.crawl_dead_letters.name,
            "publish-dead-letters": catalog.publish_dead_letters.name,
            "compact-dead-letters": compaction.dead_letters.name,
            "crawled": catalog.crawled.name,
            "workgroup": analytics.workgroup.name,
        }
        alerts = Alerts(
            name,
            settings,
            own_namespace=metrics_namespace(),
            names=names,
            crawler_name=catalog.crawler.name,
            opts=child,
        )
        dashboard = create_dashboard(
            name,
            f"spotify-etl-{slug}",
            own_namespace=metrics_namespace(),
            region=region,
            names=names,
            alarms=[alarm.arn for alarm in alerts.alarms],
            opts=child,
        )

        self.raw_bucket_name = lake.raw.name
        self.transformed_bucket_name = lake.transformed.name
        self.athena_results_bucket_name = lake.results.name
        self.glue_database_name = catalog.database.name
        self.glue_crawler_name = catalog.crawler.name
        self.athena_workgroup_name = analytics.workgroup.name
        self.extract_function_name = extraction.function.name
        self.transform_function_name = transformation.function.name
        self.publish_function_name = catalog.function.name
        self.compact_function_name = compaction.function.name
        self.transform_queue_url = transformation.queue.url
        self.dead_letter_queue_urls = pulumi.Output.all(
            extract=extraction.dead_letters.url,
            transform=transformation.dead_letters.url,
            crawl=catalog.crawl_dead_letters.url,
            publish=catalog.publish_dead_letters.url,
            compact=compaction.dead_letters.url,
        )
        self.log_group_names = pulumi.Output.all(
            **{function: group.name for function, group in monitoring.log_groups.items()}
        )
        self.spotify_secret_name = extraction.secret.name
        self.auth_mode = pulumi.Output.from_input(str(settings.auth_mode))
        self.streams = pulumi.Output.from_input(list(settings.streams))
        self.spotify_accounts_url = pulumi.Output.from_input(settings.spotify_accounts_url)
        self.alerts_topic_arn = alerts.topic.arn
        self.dashboard_url = pulumi.Output.format(
            "https://{0}.console.aws.amazon.com/cloudwatch/home?region={0}#dashboards/dashboard/{1}",
            region,
            dashboard.dashboard_name,
        )
        self.analyst_policy_arn = analyst.policy.arn
        queries = analytics.named_queries
        self.named_queries = pulumi.Output.all(*(query.id for query in queries.values())).apply(
            lambda ids: dict(zip(queries, ids, strict=True))
        )
        self.region = region
        self.next_steps = pulumi.Output.from_input(_NEXT_STEPS.format(stack=_stack_for_commands()))
        self.register_outputs({output: getattr(self, output) for output in OUTPUTS})


_NEXT_STEPS = """\
1. Log in to Spotify:
   .venv/bin/spotify-etl login --stack {stack}

2. Start the first run instead of waiting for the schedule, and follow it to the tables:
   .venv/bin/spotify-etl extract --stack {stack}

3. Look at your listening, and see what else you can ask:
   .venv/bin/spotify-etl report --stack {stack} --open
   .venv/bin/spotify-etl query --stack {stack}
"""


def _stack_for_commands() -> str:
    """Return the name by which the commands find the stack: the full one if it is another project's."""
    stack, project = pulumi.get_stack(), pulumi.get_project()
    return stack if project == NAMESPACE else f"{pulumi.get_organization()}/{project}/{stack}"


OUTPUTS = tuple(SpotifyEtlPipeline.__annotations__)
"""The names of the component's outputs, which are also the stack's outputs."""
