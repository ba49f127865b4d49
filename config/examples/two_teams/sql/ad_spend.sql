SELECT date_trunc('hour', spent_at) AS time, channel, sum(amount_gbp) AS spend
FROM ad_spend
WHERE spent_at >= :start AND spent_at < :end
GROUP BY 1, 2
