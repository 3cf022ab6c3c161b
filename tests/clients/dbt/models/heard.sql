{{ config(materialized="table", ha=true) }}
select item_type, count(*) as plays, max(played_at) as latest, sum(duration_ms) / 1000 as seconds
from {{ source("music", "plays") }}
group by 1
