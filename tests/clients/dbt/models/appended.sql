{{ config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns") }}
select item_uri, played_at{% if var("wider", false) %}, item_type as kind{% endif %}
from {{ source("music", "plays") }}
{% if is_incremental() %}
where played_at > (select max(played_at) from {{ this }})
{% endif %}
