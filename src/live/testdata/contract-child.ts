/** A child process for tests: one node, running the programs of the host contract. */
import { contractBoot } from '../../host/programs.contract.ts';
import { runLiveNode } from '../node.ts';

runLiveNode(() => contractBoot);
