-- Who should be introduced to each other? Pairs who are no friends, by how many friends they have in common; the ten
-- with the most. Friends in common with more than 100 friends of their own are left out: they say little, and are most of
-- the work (the square of a degree).
WITH ends AS (
  SELECT workspace_id, network, low_id AS id, high_id AS friend_id FROM graph_friendships
  UNION ALL
  SELECT workspace_id, network, high_id AS id, low_id AS friend_id FROM graph_friendships
), counted AS (
  SELECT workspace_id, network, id, friend_id,
         count(*) OVER (PARTITION BY workspace_id, network, id) AS degree
  FROM ends
), pairs AS (
  SELECT a.workspace_id AS workspace_id, a.network AS network,
         a.friend_id AS low_id, b.friend_id AS high_id, count(*) AS friends_in_common
  FROM (SELECT * FROM counted WHERE degree <= 100) AS a
  JOIN (SELECT * FROM counted WHERE degree <= 100) AS b
    ON b.workspace_id = a.workspace_id AND b.network = a.network AND b.id = a.id
  WHERE a.friend_id < b.friend_id
  GROUP BY a.workspace_id, a.network, a.friend_id, b.friend_id
  HAVING count(*) >= 2
)
SELECT workspace_id, network, low_id, high_id, friends_in_common
FROM pairs
WHERE (workspace_id, network, low_id, high_id) NOT IN (
  SELECT workspace_id, network, low_id, high_id FROM graph_friendships
)
ORDER BY friends_in_common DESC, workspace_id, network, low_id, high_id
LIMIT 10
