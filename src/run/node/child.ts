/**
 * Entry of a live node's process: boots this node's programs, from the design that the supervisor kept for it where the
 * design is needed. One process, one life, so the design's modules are evaluated once.
 */
import { runLiveNode } from '../../live/node.ts';
import { type ChildData, liveBoot } from './live-boot.ts';

runLiveNode((data, node) => liveBoot(data as ChildData, node));
