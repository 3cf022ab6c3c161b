{{ config(materialized="incremental", incremental_strategy="insert_overwrite", partitioned_by=["day"]) }}
select count(*) as plays, count(distinct item_uri) as items, cast(date(played_at) as varchar) as day
from {{ source("music", "plays") }}
{% if is_incremental() %}
where date(played_at) >= (select max(date(day)) from {{ this }})
{% endif %}
group by 3
