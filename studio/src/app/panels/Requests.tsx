import { Empty } from '../../parts/Empty.tsx';

export default function Requests() {
  return <Empty icon="requests" title="No requests yet" />;
}
