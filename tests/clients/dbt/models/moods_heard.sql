{{ config(materialized="view") }}
select heard.item_type, heard.plays, moods.mood, moods.weight, moods.since
from {{ ref("heard") }} as heard
left join {{ ref("moods") }} as moods on moods.item_type = heard.item_type
