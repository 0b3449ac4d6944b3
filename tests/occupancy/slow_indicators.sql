-- Every indicator from raw rows, written from the definitions alone: nothing of occupancy/ is used.
-- Tables: raw(lot, at, epoch, seq, occ, free, usable, entered, gone), in milliseconds and totals;
-- lot(lot, capacity, opened, closed_from, closed_to); asked(from_ms, to_ms).

CREATE TABLE told AS
SELECT *, coalesce(occ BETWEEN 0 AND usable AND free BETWEEN 0 AND usable, false) AS sound,
       coalesce(lead("at") OVER w, "at" + 90000) AS following,
       CASE WHEN lag(epoch) OVER w = epoch THEN entered - lag(entered) OVER w ELSE 0 END AS cars
FROM raw WINDOW w AS (PARTITION BY lot ORDER BY "at", epoch, seq);

-- Every open quarter of an hour of the period, with data or without.
CREATE TABLE slot AS
SELECT l.lot, s.start, l.capacity FROM lot l, asked a,
       LATERAL (SELECT unnest(range(a.from_ms, a.to_ms, 900000)) AS start) s
WHERE s.start >= coalesce(l.opened, 0)
  AND NOT coalesce(s.start < l.closed_to AND s.start + 900000 > l.closed_from, false);

-- How long each row stood in each slot: for ten seconds at most as told, ninety as fresh.
CREATE TABLE piece AS
SELECT slot.lot, slot.start, t.occ, t.free, t.usable, t.sound,
       greatest(0, least(t.following, t."at" + 10000, slot.start + 900000) - greatest(t."at", slot.start)) AS lasted,
       greatest(0, least(t.following, t."at" + 90000, slot.start + 900000) - greatest(t."at", slot.start)) AS fresh
FROM slot JOIN told t ON t.lot = slot.lot AND t."at" < slot.start + 900000 AND t."at" + 90000 > slot.start;

CREATE TABLE held AS
SELECT slot.lot, slot.start, slot.capacity,
       coalesce(sum(p.lasted) FILTER (WHERE p.sound), 0)::DOUBLE AS told,
       coalesce(sum(p.fresh), 0)::DOUBLE AS fresh,
       coalesce(sum(p.lasted) FILTER (WHERE p.sound AND p.free <= greatest(1, 0.02 * p.usable)), 0)::DOUBLE AS full_time,
       coalesce(sum(p.lasted * p.occ) FILTER (WHERE p.sound), 0)::DOUBLE AS car_time,
       coalesce(sum(p.lasted * p.usable) FILTER (WHERE p.sound), 0)::DOUBLE AS space_time,
       max(p.occ) FILTER (WHERE p.sound AND p.lasted > 0) AS most,
       (SELECT coalesce(sum(t.cars), 0) FROM told t
        WHERE t.lot = slot.lot AND t."at" >= slot.start AND t."at" < slot.start + 900000)::DOUBLE AS cars
FROM slot LEFT JOIN piece p USING (lot, start)
GROUP BY slot.lot, slot.start, slot.capacity;

-- All lots together, slot by slot; what was silent for most of a slot says nothing in it.
CREATE TABLE town AS
SELECT start, floor((start + 28800000) / 86400000) AS day,
       CASE WHEN sum(capacity * told) / sum(capacity * 900000) >= 0.5
            THEN sum(car_time / told) FILTER (WHERE told >= 450000)
               / nullif(sum(space_time / told) FILTER (WHERE told >= 450000), 0) END AS share
FROM held GROUP BY start;

CREATE TABLE lot_slot AS
SELECT *, floor((start + 28800000) / 86400000) AS day,
       CASE WHEN told >= 450000 THEN car_time / nullif(space_time, 0) END AS share
FROM held;

CREATE MACRO score(o) AS
    CASE WHEN o <= 0.70 THEN 2 * o / 0.70
         WHEN o <= 0.85 THEN 2 + 2 * (o - 0.70) / 0.15
         WHEN o <= 0.95 THEN 4 + 2 * (o - 0.85) / 0.10
         ELSE 6 + 2 * (o - 0.95) / 0.05 END;

CREATE TABLE figure AS
SELECT 'completeness' AS code, sum(capacity * told) / sum(capacity * 900000) AS value FROM held
UNION ALL
SELECT 'turnover', sum(cars) / (sum(capacity * 900000) / 86400000) FROM held
UNION ALL
SELECT 'mean_stay_derived', sum(present) / sum(cars) / 60000 FROM (
    SELECT sum(car_time) / sum(told) * count(*) * 900000 AS present, sum(cars) AS cars
    FROM held GROUP BY lot)
UNION ALL
SELECT 'time_occupancy', sum(car_time) / sum(capacity * told) FROM held
UNION ALL
SELECT 'mean_occupancy', sum(car_time) / sum(space_time) FROM held
UNION ALL
SELECT 'peak_saturation', max(most / (space_time / told)) FROM held WHERE space_time > 0
UNION ALL
SELECT 'saturated_minutes', sum(full_time) / 60000 FROM held
UNION ALL
SELECT 'full_time_share', sum(full_time) / sum(told) FROM held
UNION ALL
SELECT 'target_share', count(*) FILTER (WHERE share BETWEEN 0.60 AND 0.85) / count(share)
FROM lot_slot
UNION ALL
SELECT 'data_access_rate', sum(capacity * fresh) / sum(capacity * 900000) FROM held
UNION ALL
SELECT 'peak_hour_saturation', quantile_cont(best, 0.95) FROM (
    SELECT day, max(mean) AS best FROM (
        SELECT day, start,
               CASE WHEN count(share) OVER hour = 4 AND max(start) OVER hour - start = 2700000
                    THEN avg(share) OVER hour END AS mean
        FROM town WINDOW hour AS (PARTITION BY day ORDER BY start ROWS BETWEEN CURRENT ROW AND 3 FOLLOWING))
    WHERE day IN (SELECT day FROM town GROUP BY day HAVING count(share) / count(*) >= 0.9)
    GROUP BY day)
UNION ALL
SELECT 'balance', avg(even) FROM (
    SELECT 1 - sum(spaces * abs(cars / spaces - o)) / (2 * o * (1 - o) * sum(spaces)) AS even FROM (
        SELECT start, car_time / told AS cars, space_time / told AS spaces,
               sum(car_time / told) OVER s / sum(space_time / told) OVER s AS o,
               count(*) OVER s AS lots, min(told) OVER s AS least
        FROM held WINDOW s AS (PARTITION BY start))
    WHERE lots >= 2 AND least >= 450000 AND o > 0 AND o < 1 GROUP BY start, o)
UNION ALL
SELECT 'congestion_index', avg(value) FROM (
    SELECT day, sum(index * capacity) / sum(capacity) AS value FROM (
        SELECT lot, day, capacity, avg(score(share)) AS index FROM (
            SELECT *, row_number() OVER (PARTITION BY lot, day ORDER BY share DESC NULLS LAST) AS rank,
                   count(share) OVER d / count(*) OVER d AS known
            FROM lot_slot WINDOW d AS (PARTITION BY lot, day))
        WHERE rank <= 12 AND share IS NOT NULL AND known >= 0.9 GROUP BY lot, day, capacity)
    GROUP BY day);
