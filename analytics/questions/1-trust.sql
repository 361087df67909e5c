-- How far may the graph be trusted? Friendships by how many of the two people name the other themselves, and the people
-- whose own list was never seen whole: with them the truth is only the union of what others show.
SELECT f.workspace_id AS workspace_id,
       f.network AS network,
       count(*) AS friendships,
       sum(CASE WHEN f.sides = 2 THEN 1 ELSE 0 END) AS named_by_both,
       sum(CASE WHEN f.sides = 1 THEN 1 ELSE 0 END) AS named_by_one,
       max(p.people) AS people,
       max(p.lists_not_whole) AS lists_not_whole
FROM graph_friendships AS f
JOIN (
  SELECT workspace_id, network, count(*) AS people,
         sum(CASE WHEN friends_complete THEN 0 ELSE 1 END) AS lists_not_whole
  FROM graph_people
  GROUP BY workspace_id, network
) AS p ON p.workspace_id = f.workspace_id AND p.network = f.network
GROUP BY f.workspace_id, f.network
ORDER BY workspace_id, network
