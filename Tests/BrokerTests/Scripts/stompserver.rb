# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# stompserver.rb PORT FOLDER    Starts the packaged stompserver 0.9.9 as its own program would, but so that it runs
# under today's Ruby: there the program's `@@name = ...` in a block raises "class variable access from toplevel"
# when the first client connects.
require 'etc'
require 'yaml'
require 'stomp_server'

module StompServer
  class QueueManager
    # Since Ruby 1.9 Hash#select returns a Hash, which the original indexes like an Array: an ACK while another
    # message waited ended in an ERROR. Nothing else of the broker is changed.
    def send_a_backlog(connection)
      waiting = @queues.select do |name, users|
        @qstore.message_for?(name) && users.any? { |user| user.connection == connection }
      end
      return if waiting.empty?

      name, users = waiting.to_a.sample
      send_to_user(@qstore.dequeue(name), users.find { |user| user.connection == connection })
    end
  end
end

port = Integer(ARGV.fetch(0))
folder = ARGV.fetch(1)
options = {
  host: '127.0.0.1', port: port, queue: 'memory', auth: true, checkpoint: 0, working_dir: folder,
  storage: "#{folder}/storage", etcdir: "#{folder}/etc", passwd: "#{folder}/etc/.passwd",
  logdir: "#{folder}/log", logfile: "#{folder}/log/stompserver.log", pidfile: "#{folder}/log/stompserver.pid"
}

$STOMP_SERVER = true
$stdout.sync = true
EventMachine.run do
  server = StompServer::Run.new(options)
  server.start
  trap('TERM') { server.stop(options[:pidfile]) }
  connection = StompServer::Protocols::Stomp
  connection.class_variable_set(:@@auth_required, server.auth_required)
  connection.class_variable_set(:@@queue_manager, server.queue_manager)
  connection.class_variable_set(:@@topic_manager, server.topic_manager)
  connection.class_variable_set(:@@stompauth, server.stompauth)
  EventMachine.start_server('127.0.0.1', port, connection)
end
