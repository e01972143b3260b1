import { Empty } from '../../parts/Empty.tsx';

export default function Messages() {
  return <Empty icon="messages" title="No messages yet" />;
}
