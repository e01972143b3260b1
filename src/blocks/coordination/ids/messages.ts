/** What callers and allocators say to each other. */

export type IdsRequest =
  | {
      readonly type: 'take';
      readonly id: number;
      /** The caller's boot number, and which of its ranges this is: asked again, the same range comes. */
      readonly life: number;
      readonly ticket: number;
      /** Ranges used up in this life: what a crash did not lose. */
      readonly finished: number;
      /** Where the last range ends that this allocator gave to the caller in this life; 0: none. */
      readonly given: number;
    }
  | {
      readonly type: 'claim';
      readonly id: number;
      readonly name: string;
      /** Who claims: asked again by the same, the answer is the same. */
      readonly owner: string;
    };

export type IdsReply =
  | {
      readonly type: 'range';
      readonly id: number;
      /** Numbers from `from` up to, not including, `to`. */
      readonly from: number;
      readonly to: number;
      /** Sorted numbers in it whose codes have been claimed as names. */
      readonly except: readonly number[];
    }
  | { readonly type: 'exhausted'; readonly id: number }
  | {
      readonly type: 'claimed';
      readonly id: number;
      readonly granted: boolean;
      /** Not granted because it may be somebody's generated code, and not because of another claim. */
      readonly coded?: true | undefined;
    }
  | {
      readonly type: 'refusal';
      readonly id: number;
      readonly why: string;
      readonly certain: boolean;
    };

export type IdsMessage = IdsRequest | IdsReply;

export function describe(message: IdsMessage): string {
  switch (message.type) {
    case 'take':
      return `take range #${message.ticket}`;
    case 'claim':
      return `claim ${message.name}`;
    case 'range':
      return `range ${message.from} to ${message.to - 1}`;
    case 'exhausted':
      return 'no ranges left';
    case 'claimed':
      return message.granted ? 'claimed' : message.coded ? 'may be a code' : 'taken';
    case 'refusal':
      return `refused: ${message.why}`;
  }
}
