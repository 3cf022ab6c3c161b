# ruff: noqa: INP001 - a script, no package
"""docs/permissions.md and the deployer's policies, from the policies that the program emits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scripts.deployer_policy import deployer_policies
from scripts.operator_policy import acceptance_policies, operator_policies
from tests.pipeline.aws_resources import ACCOUNT, REGION
from tests.pipeline.iam import allows, statements
from tests.pipeline.program import Program, run

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/your-key"
SETTINGS = {
    "spotify-etl:kmsKeyArn": KEY,
    "spotify-etl:alertEmail": "you@example.com",
    "spotify-etl:monthlyBudgetUsd": "15",
}
"""With these, the program registers every kind of resource and every permission."""
ANALYST = "analyst"

_GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
_ATHENA = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup"
_LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"

_DECISIONS = (
    ("read raw objects", "s3:GetObject", "arn:aws:s3:::spotify-etl-raw-1a2b3c4/raw/plays/a.jsonl.gz"),
    ("write raw objects", "s3:PutObject", "arn:aws:s3:::spotify-etl-raw-1a2b3c4/raw/plays/a.jsonl.gz"),
    ("delete raw objects", "s3:DeleteObject", "arn:aws:s3:::spotify-etl-raw-1a2b3c4/raw/plays/a.jsonl.gz"),
    ("read and write state", "s3:PutObject", "arn:aws:s3:::spotify-etl-raw-1a2b3c4/state/locks.json"),
    ("read tables' files", "s3:GetObject", "arn:aws:s3:::spotify-etl-transformed-1a2b3c4/tables/plays/a.parquet"),
    ("write tables' files", "s3:PutObject", "arn:aws:s3:::spotify-etl-transformed-1a2b3c4/tables/plays/a.parquet"),
    ("delete tables' files", "s3:DeleteObject", "arn:aws:s3:::spotify-etl-transformed-1a2b3c4/tables/plays/a.parquet"),
    ("write query results", "s3:PutObject", "arn:aws:s3:::spotify-etl-athena-results-1a2b3c4/results/a.csv"),
    ("use a foreign bucket", "s3:GetObject", "arn:aws:s3:::another-bucket/a"),
    (
        "read the Spotify login",
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:spotify-etl-spotify-1a2b3c4-AbCdEf",
    ),
    ("read the catalog", "glue:GetTable", f"{_GLUE}:table/spotify_dev/plays"),
    ("change tables of the catalog", "glue:UpdateTable", f"{_GLUE}:table/spotify_dev/plays"),
    ("drop tables of the catalog", "glue:DeleteTable", f"{_GLUE}:table/spotify_dev/plays"),
    ("read a foreign database", "glue:GetTable", f"{_GLUE}:table/another/plays"),
    ("query in the workgroup", "athena:StartQueryExecution", f"{_ATHENA}/spotify-etl-dev"),
    ("query in a foreign workgroup", "athena:StartQueryExecution", f"{_ATHENA}/primary"),
    ("start the extract function", "lambda:InvokeFunction", f"{_LAMBDA}:spotify-etl-extract-1a2b3c4"),
    ("start a foreign function", "lambda:InvokeFunction", f"{_LAMBDA}:another"),
    ("start the crawler", "glue:StartCrawler", f"{_GLUE}:crawler/spotify-etl-1a2b3c4"),
)

_HEAD = """\
# Permissions

Who may do what in AWS. `make docs` writes this page from the policies that the program creates, which are in
`pipeline/policies.py`. Every function, schedule and crawler has a role of its own, which one AWS service can assume for
this account only. No policy is one of AWS's own, and none has `*` as its resource.
"""
_ANALYST = """\
## For people who only ask questions

The stack has a policy that allows queries in its workgroup and reading its tables, and nothing else. It is attached to
nobody; attach it to a user, a group or a role:

```sh
aws iam attach-user-policy --user-name ana --policy-arn "$(pulumi stack output analyst_policy_arn)"
```

With it, clients of Athena can query as [connecting.md](connecting.md) shows. Athena's console also lists all workgroups
and data catalogs of the account, which this policy does not allow. Everyone who has the policy can see the results of
all queries.
"""
_KEY = """\
## Your own KMS key

With `kmsKeyArn`, these roles use your key, as their policies allow. The key's own policy, which the stack does not
change, must let the account's IAM policies decide. The policy of a new key does, with this statement:

```json
{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::<account>:root"}, "Action": "kms:*", "Resource": "*"}
```
"""
_DEPLOYER = """\
## For whoever deploys

`pulumi up` and `pulumi destroy` need the permissions of
{files},
which are several because AWS limits the size of a policy. They follow from the resources of the program, and allow
changes only under its names. Each role may be passed only to the service that uses it (`iam:PassRole`). Replace the
placeholders, and create the policies:

```sh
for part in {parts}; do
  policy="$(sed 's/<account>/123456789012/g; s/<region>/eu-central-1/g' docs/deployer-policy-$part.json)"
  aws iam create-policy --policy-name spotify-etl-deployer-$part --policy-document "$policy"
done
```

These permissions have not been tried in an account of AWS: `make test-aws` shows what is missing.
"""
_OPERATOR = """\
## For whoever runs the commands

`spotify-etl extract`, `crawl`, `replay`, `status`, `logs`, `doctor`, `query`, `report`, `export`, `labels`,
`import-history`, `login` and `purge` need the permissions of [operator-policy.json](operator-policy.json), for all
stacks of one account and region; a test runs each of them with these alone. They can read and replace the Spotify
login, read all data, and delete it (`purge`), and change neither resources nor permissions. The commands also read the
stack's outputs, through Pulumi. To leave out `purge`, remove `s3:DeleteObjectVersion`.

`make test-aws` deploys, and then calls what the commands call: it needs the deployer's policies, the operator's, and
[acceptance-policy.json](acceptance-policy.json), because it tries each role's permissions with a role of its own that
has the same policies.

With a key of your own (`kmsKeyArn`), both also need `kms:Decrypt`, `kms:GenerateDataKey` and `kms:DescribeKey` on it.
"""


def pages() -> dict[Path, str]:
    """Return the text of every generated file by its path in the project."""
    program = run(SETTINGS)
    deployer = deployer_policies(program)
    [operator], [acceptance] = operator_policies(), acceptance_policies()
    documents = {f"deployer-policy-{number}": document for number, document in enumerate(deployer, 1)}
    documents |= {"operator-policy": operator, "acceptance-policy": acceptance}
    files = {Path(f"docs/{name}.json"): json.dumps(document, indent=2) + "\n" for name, document in documents.items()}
    return {Path("docs/permissions.md"): permissions_page(program, len(deployer)), **files}


def permissions_page(program: Program, deployer: int) -> str:
    """Return docs/permissions.md.

    Args:
        program: what the program registers with a key of the user's.
        deployer: how many policies the deployer has.
    """
    documents = identities(program)
    parts = [str(number) for number in range(1, deployer + 1)]
    links = ",\n".join(f"[deployer-policy-{part}.json](deployer-policy-{part}.json)" for part in parts)
    return "\n".join(
        (
            _HEAD,
            "## Decisions\n",
            *_decisions(documents),
            "\n## Every permission\n",
            "A name in an ARN ends in digits that Pulumi adds, here `*`.\n",
            *(line for name, policies in documents.items() for line in _section(name, policies)),
            _ANALYST,
            _KEY,
            *_uses_of_key(documents),
            "",
            _DEPLOYER.format(files=links, parts=" ".join(parts)),
            _OPERATOR.rstrip(),
            "",
        )
    )


def identities(program: Program) -> dict[str, list[str]]:
    """Return the documents of each role, and of the analyst, by name."""
    found: dict[str, list[str]] = {role.removeprefix("spotify-etl-"): [] for role in sorted(program.all("Role"))}
    for policy in program.all("RolePolicy").values():
        [name] = [name for name in found if policy.inputs["role"] == f"spotify-etl-{name}-1a2b3c4"]
        found[name].append(policy.inputs["policy"])
    return {**found, ANALYST: [program.one("Policy", "spotify-etl-analyst").inputs["policy"]]}


def _decisions(documents: dict[str, list[str]]) -> Iterator[str]:
    yield f"| may | {' | '.join(documents)} |"
    yield "|---" * (len(documents) + 1) + "|"
    for what, action, arn in _DECISIONS:
        cells = ("yes" if any(allows(each, action, arn) for each in group) else "–" for group in documents.values())
        yield f"| {what} | {' | '.join(cells)} |"


def _section(name: str, documents: Iterable[str]) -> Iterator[str]:
    yield f"### {name}\n"
    yield "| actions | on |"
    yield "|---|---|"
    for statement in (each for document in documents for each in statements(document)):
        actions, arns = sorted(statement["Action"]), statement["Resource"]
        yield f"| {_code(actions)} | {_code(map(_readable, arns))} |"
    yield ""


def _uses_of_key(documents: dict[str, list[str]]) -> Iterator[str]:
    yield "| role | uses the key for |"
    yield "|---|---|"
    for name, group in documents.items():
        actions = [action for each in group for one in statements(each) for action in one["Action"]]
        if used := sorted(action for action in actions if action.startswith("kms:")):
            yield f"| {name} | {_code(used)} |"


def _readable(arn: str) -> str:
    found = arn.replace("-1a2b3c4", "-*").replace(KEY, "your key").replace("spotify_dev", "spotify_<stack>")
    found = found.replace("-AbCdEf", "").replace("spotify-etl-dev", "spotify-etl-<stack>")
    return re.sub(rf"arn:aws:(\w+):[\w-]*:(?:{ACCOUNT})?:", r"\1:", found)


def _code(texts: Iterable[Any]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
