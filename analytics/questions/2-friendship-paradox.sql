-- Do people's friends have more friends than they have themselves? Degree on average and at most, the average degree of a
-- friend, and how many people have fewer friends than their friends have on average. People without friends are left out.
WITH ends AS (
  SELECT workspace_id, network, low_id AS id, high_id AS friend_id FROM graph_friendships
  UNION ALL
  SELECT workspace_id, network, high_id AS id, low_id AS friend_id FROM graph_friendships
), degrees AS (
  SELECT workspace_id, network, id, count(*) AS degree FROM ends GROUP BY workspace_id, network, id
), around AS (
  SELECT e.workspace_id AS workspace_id, e.network AS network, e.id AS id,
         count(*) AS degree, sum(d.degree) AS degrees_of_friends
  FROM ends AS e
  JOIN degrees AS d ON d.workspace_id = e.workspace_id AND d.network = e.network AND d.id = e.friend_id
  GROUP BY e.workspace_id, e.network, e.id
)
SELECT workspace_id, network,
       count(*) AS people_with_friends,
       max(degree) AS highest_degree,
       floor(1000 * CAST(sum(degree) AS DOUBLE) / count(*)) / 1000 AS average_degree,
       floor(1000 * CAST(sum(degrees_of_friends) AS DOUBLE) / sum(degree)) / 1000 AS average_degree_of_a_friend,
       sum(CASE WHEN degrees_of_friends > degree * degree THEN 1 ELSE 0 END) AS fewer_than_their_friends
FROM around
GROUP BY workspace_id, network
ORDER BY workspace_id, network
