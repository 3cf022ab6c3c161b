{% snapshot heard_changes %}
{{ config(unique_key="item_type", strategy="check", check_cols=["plays"]) }}
select * from {{ ref("heard") }}
{% endsnapshot %}
