"""What else they consider buying."""

from features.aggregations import count, distinct, level, recency, total
from features.expressions import Ratio
from features.feature import Feature

FEATURES = (
    Feature("deals_opened", "deal.opened", count, "outcome", "deals opened", "{value} deals opened in the last {window}", "deals", (90, 365), spec="deals opened=-91; deals opened=-90 lost=-5; deals opened=-90 lost=-5; deals opened=+1 => 90 days: 2, 365 days: 3"),
    Feature("deals_won", "deal.won", count, "outcome", "deals won", "{value} deals won in the last {window}", "deals", (90, 365), spec="deals opened=-200 won=-91; deals opened=-200 won=-90; deals opened=-200 won=-90; deals opened=-50 won=+1; deals opened=-50 lost=-5 => 90 days: 2, 365 days: 3"),
    Feature("deals_won_value", "deal.won", total, "outcome", "value of deals won", "deals worth {value} won in the last {window}", "currency", (365,), spec="deals opened=-400 won=-366 value=100; deals opened=-50 won=-5 value=10; deals opened=-50 won=-4 value=1; deals opened=-50 lost=-5 value=7; deals opened=-50 won=-9 => 11"),
    Feature("deals_won_recency", "deal.won", recency, "outcome", "days since a deal was won", "last deal won {value} days ago", "days", spec="deals opened=-50 won=-40; deals opened=-50 won=-9; deals opened=-50 lost=-5; deals opened=-50 won=+1 => 9"),
    Feature("deals_lost", "deal.lost", count, "outcome", "deals lost", "{value} deals lost in the last {window}", "deals", (90, 365), spec="deals opened=-200 lost=-91; deals opened=-200 lost=-90; deals opened=-200 lost=-90; deals opened=-50 lost=+1; deals opened=-50 won=-5 => 90 days: 2, 365 days: 3"),
    Feature("deals_decided", "deal.decided", count, "outcome", "deals won or lost", "{value} deals decided in the last {window}", "deals", (365,), spec="deals opened=-50 won=-5; deals opened=-50 won=-5; deals opened=-50 lost=-9; deals opened=-50 lost=+1; deals opened=-5 => 3"),
    Ratio("win_rate", "deals_won", "deals_decided", "outcome", "deals won per deal decided", "{value} of deals decided in the last {window} were won", "share", spec="deals opened=-50 won=-5; deals opened=-50 lost=-9; deals opened=-50 lost=-8; deals opened=-50 lost=-7; deals opened=-5 => 0.25"),
    Feature("deals_recency", "deal.opened", recency, "outcome", "days since a deal was opened", "last deal opened {value} days ago", "days", spec="deals opened=-50; deals opened=-9 lost=-5; deals opened=+1 => 9"),
    Feature("deals_open", "deal.open", level, "outcome", "deals open now", "{value} deals open", "deals", spec="deals opened=-500; deals opened=-50 won=-5; deals opened=-50 lost=-5; deals opened=-50 won=+1; deals opened=+1 => 2"),
    Feature("pipeline", "deal.pipeline", level, "outcome", "value of the deals open now", "deals worth {value} open", "currency", spec="deals opened=-500 value=100; deals opened=-50 won=-5 value=20; deals opened=-50 won=+1 value=30; deals opened=-5 => 130"),
    Ratio("pipeline_share", "pipeline", "arr", "outcome", "value of the deals open per live ARR", "deals open are worth {value} of ARR", "share", spec="deals opened=-50 value=30; deals opened=-50 lost=-5 value=20; contracts starts=-50 arr=120; contracts starts=-50 ends=-5 arr=60 => 0.25"),
    Feature("products_won", "deal.product", distinct, "outcome", "different products bought so far", "{value} different products bought so far", "products", spec="deals opened=-500 won=-400 product=pump; deals opened=-50 won=-5 product=pump; deals opened=-50 won=-5 product=valve; deals opened=-50 lost=-5 product=pipe; deals opened=-50 won=-5 => 2"),
)  # fmt: skip
