import type { SocialGraph } from './social-graph';

/** Figures of one graph. Definitions: T triangles, W wedges (sum of d(d-1)/2), d a person's degree. */
export interface GraphSummary {
  users: number;
  friendships: number;
  triangles: number;
  wedges: number;
  /** Mean of the local clustering over ALL people, those with d < 2 included as 0. */
  averageClustering: number;
  /** 3T / W; 0 without wedges. */
  transitivity: number;
  /** SNAP's fraction: T / (W - 2T), a triangle counted once; 0 without wedges. */
  closedTriangleFraction: number;
  components: number;
  /** People in the largest component. */
  largestComponent: number;
  /** [degree, people who have it], ascending by degree. */
  degreeDistribution: [degree: number, people: number][];
}

/** The figures as the sums stand now; costs one pass over the distinct degrees. */
export function summaryOf(graph: SocialGraph): GraphSummary {
  const { counts, components } = graph;
  const degreeDistribution: [number, number][] = [];
  let clusteringSum = 0;
  for (const [degree, people, triangles] of counts.byDegree()) {
    degreeDistribution.push([degree, people]);
    clusteringSum += localClustering(degree, triangles);
  }
  return {
    users: counts.people,
    friendships: counts.friendships,
    triangles: counts.triangles,
    wedges: counts.wedges,
    averageClustering: counts.people === 0 ? 0 : clusteringSum / counts.people,
    transitivity: counts.wedges === 0 ? 0 : (3 * counts.triangles) / counts.wedges,
    closedTriangleFraction:
      counts.wedges === 0 ? 0 : counts.triangles / (counts.wedges - 2 * counts.triangles),
    components: components.count,
    largestComponent: components.largest,
    degreeDistribution,
  };
}

/** 2t / (d(d-1)); 0 when d < 2. Linear in t, so it also sums over people of one degree. */
export function localClustering(degree: number, triangles: number): number {
  return degree < 2 ? 0 : (2 * triangles) / (degree * (degree - 1));
}
