"""The policy pack: `pulumi preview --policy-pack policies` runs every rule over the resources of a stack."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

# Pulumi runs this folder as a program, so its modules are not in a package.
from rules import COMPANION_RULES, RULES, Item, RuleOfCompanion, RuleOfResource, breaks, breaks_alone, message


def _validate(rule: RuleOfResource, args: ResourceValidationArgs, report: ReportViolation) -> None:
    if breaks(rule, Item(args.resource_type, args.name, args.props)):
        report(message(rule))


def _validate_companion(rule: RuleOfCompanion, args: StackValidationArgs, report: ReportViolation) -> None:
    dependents: dict[str, set[str]] = defaultdict(set)
    for resource in args.resources:
        for needed in resource.dependencies:
            dependents[needed.urn].add(resource.resource_type)
    for resource in args.resources:
        item = Item(resource.resource_type, resource.name, resource.props)
        if breaks_alone(rule, item, dependents[resource.urn]):
            report(message(rule), resource.urn)


PolicyPack(
    name="spotify-etl",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(
            ResourceValidationPolicy(name=rule.name, description=message(rule), validate=partial(_validate, rule))
            for rule in RULES
        ),
        *(
            StackValidationPolicy(
                name=rule.name, description=message(rule), validate=partial(_validate_companion, rule)
            )
            for rule in COMPANION_RULES
        ),
    ],
)
