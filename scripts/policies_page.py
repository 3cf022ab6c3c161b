# ruff: noqa: INP001 - a script, no package
"""policies/README.md, from the rules of the policy pack."""

from __future__ import annotations

from pathlib import Path

from policies.rules import COMPANION_RULES, EXEMPTIONS, REFUSED, RULES

_HEAD = """\
# Policy pack

Rules that every resource of the stack complies with. `make test` runs them over what the program registers; with
Pulumi's command they also run over your own program that uses the component:

```sh
python3 -m venv policies/.venv
policies/.venv/bin/pip install --require-hashes --requirement policies/requirements.txt
pulumi preview --policy-pack policies
```

The pack has an environment of its own because Pulumi's policy library needs an older protobuf than this project. A
violation ends `pulumi preview` and `pulumi up`; what depends on values that AWS gives is checked by `pulumi up` only.
`make docs` writes this page from `policies/rules.py`.
"""


def pages() -> dict[Path, str]:
    """Return the text of the page by its path in the project."""
    return {Path("policies/README.md"): policies_page()}


def policies_page() -> str:
    """Return policies/README.md."""
    rules = [f"| {rule.name} | {rule.asks} | {', '.join(rule.ids) or '–'} |" for rule in (*RULES, *COMPANION_RULES)]
    exempt = [f"| {each.rule} | `{each.resource}` | {each.reason} |" for each in EXEMPTIONS]
    refused = [f"| {rule} | {reason} |" for rule, reason in REFUSED.items()]
    return "\n".join(
        (
            _HEAD,
            "## Rules\n",
            "The same rules in Checkov (CKV), cdk-nag (AwsSolutions) and Trivy (AWS-):\n",
            "| rule | asks | the same in |\n|---|---|---|",
            *rules,
            "\n## Exceptions\n",
            "| rule | resources | reason |\n|---|---|---|",
            *exempt,
            "\n## Rules that the pack leaves out\n",
            "| rule | reason |\n|---|---|",
            *refused,
            "",
        )
    )
