"""IAM roles and policies."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _role(resource: Resource) -> Created:
    name = resource.physical_name(longest=64)
    arguments = resource.arguments
    more = arguments.request("description", "maxSessionDuration", "path", "permissionsBoundary")
    role = resource.account.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=arguments.take("assumeRolePolicy"),
        Tags=tag_list(resource.tags()),
        **more,
    )["Role"]
    return name, {"arn": role["Arn"], "name": name, "uniqueId": role["RoleId"]}


def _role_policy(resource: Resource) -> Created:
    name = resource.physical_name(longest=128)
    role, document = resource.arguments.take("role"), resource.arguments.take("policy")
    resource.account.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    return f"{role}:{name}", {"name": name}


def _policy(resource: Resource) -> Created:
    name = resource.physical_name(longest=128)
    more = resource.arguments.request("description", "path")
    policy = resource.account.client("iam").create_policy(
        PolicyName=name,
        PolicyDocument=resource.arguments.take("policy"),
        Tags=tag_list(resource.tags()),
        **more,
    )["Policy"]
    return policy["Arn"], {"arn": policy["Arn"], "name": name, "policyId": policy["PolicyId"]}


def _attachment(resource: Resource) -> Created:
    role, policy = resource.arguments.take("role"), resource.arguments.take("policyArn")
    resource.account.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    return f"{role}/{policy}", {}


RESOURCES: dict[str, Create] = {
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
}

NOT_APPLIED = {
    "aws:iam/role:Role": {
        "forceDetachPolicies": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
