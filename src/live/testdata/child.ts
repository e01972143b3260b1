/** A child process for tests: one node, running the hand-written programs. */
import { runLiveNode } from '../node.ts';
import { makeBoot } from './programs.ts';

runLiveNode(makeBoot);
